"""The installation's secrets under the shares of several custodians (SLIP-0039)."""
