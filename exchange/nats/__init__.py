"""A NATS server between sites, as a carrier: what waits is put into JetStream there and taken from it, by neither site calling the other."""
