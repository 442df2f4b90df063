"""What every journal is made of: a folder that one program writes to, logs, and files about them."""
