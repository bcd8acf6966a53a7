package fluxmsg

import (
	"fmt"
	"unicode/utf8"
)

// Defaults of fluxrig's limits.
const (
	MaxHops        = 64
	MaxPayloadSize = 2 << 20
)

// Validate applies what fluxrig checks on every publish and, since v0.12, on receive.
func (m *Message) Validate(maxHops, maxPayload int) error {
	if len(m.Path) > maxHops {
		return fmt.Errorf("%d hops, at most %d are allowed", len(m.Path), maxHops)
	}
	size := len(m.Raw)
	for key, value := range m.Meta {
		size += len(key) + len(value)
		if !utf8.ValidString(key) || !utf8.ValidString(value) {
			return fmt.Errorf("meta entry %q is not UTF-8", key)
		}
	}
	for key, value := range m.Data {
		size += len(key)
		switch value := value.(type) {
		case string:
			size += len(value)
		case []byte:
			size += len(value)
		}
		if !utf8.ValidString(key) {
			return fmt.Errorf("data key %q is not UTF-8", key)
		}
	}
	if size > maxPayload {
		return fmt.Errorf("%d bytes of payload, at most %d are allowed", size, maxPayload)
	}
	return nil
}
