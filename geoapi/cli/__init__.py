"""The command line `ler`."""
