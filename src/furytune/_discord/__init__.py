"""What Discord is: its ids, messages, threads and channels."""
