"""The commands of the directory, by what they are about."""
