"""What AWS does and moto does not, each in a module that could be proposed to moto by itself."""
