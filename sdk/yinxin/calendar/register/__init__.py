"""The register of a site's calendars: which arrangement of each year is in force, who approved it, and its signature."""
