"""Behaviour of AWS that moto lacks, each in a module that could be proposed to moto by itself."""
