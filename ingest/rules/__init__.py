"""The rules that an owner's file is checked by: what each says, in two languages, and the code that checks it."""
