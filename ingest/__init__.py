"""MQTT to blocks: checks what needs no registry, stamps arrival, acknowledges what the stream has, relays receipts."""
