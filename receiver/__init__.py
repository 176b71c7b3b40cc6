"""The MLLP receiver: an acknowledged message is a stored message."""
