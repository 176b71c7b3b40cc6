"""The compared clients. Each makes the receiver's two calls: PutObject and SendMessageBatch."""
