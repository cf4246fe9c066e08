"""The demonstration town: a made-up Danish town with the networks of made-up owners, for trying the platform out."""
