"""Everything stored is checked again, night by night: certificates, revocation lists, intents."""
