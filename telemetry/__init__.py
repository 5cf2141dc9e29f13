"""The words that devices and servers share: identities, messages, blocks, findings, the clock and the catalogue."""
