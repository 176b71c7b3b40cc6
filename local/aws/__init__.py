"""The AWS double: moto behind one HTTP server, its clients, and the layers in front of moto."""
