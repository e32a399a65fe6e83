"""The only thing core and console share: vocabulary, events, effects, views, codec, transport."""
