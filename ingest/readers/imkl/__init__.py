"""IMKL 2.0 in: what the Dutch KLIC delivers, read into features of the LER model (`reader`)."""
