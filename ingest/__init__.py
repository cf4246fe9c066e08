"""From an owner's file to a published network version."""
