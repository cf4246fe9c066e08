"""What the neighbours' models make of the LER model, as data: IMKL (KLIC), INSPIRE US and MUDDI, field by field."""
