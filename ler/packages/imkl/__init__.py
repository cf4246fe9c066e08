"""IMKL 2.0 out: a network as KLIC exchanges them, and an account of what it could not hold."""

from ler.packages.imkl.write import write_imkl

__all__ = ["write_imkl"]
