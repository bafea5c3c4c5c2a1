"""The directory pushed to other systems: registered receivers are kept at what they may know of it, by SCIM."""
