"""How a data set is written: files, manifest, one commit."""
