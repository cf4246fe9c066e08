"""Pages that the service itself shows to people: templates, and their texts in Danish and English."""
