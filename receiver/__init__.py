"""The MLLP receiver: it acknowledges a message after the message has been stored."""
