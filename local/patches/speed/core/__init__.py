"""Changes to the part of moto that every service uses."""
