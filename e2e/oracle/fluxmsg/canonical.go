package fluxmsg

import (
	"encoding/hex"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// Canonical is a message in a form that another program can compute too, for comparison: JSON without numbers that a
// reader could round, and without an order that two maps could differ in. Null and empty are the same.
type Canonical struct {
	ID    string      `json:"id"`
	RefID string      `json:"ref_id"`
	Trace string      `json:"trace"`
	SrcID string      `json:"src_id"`
	Meta  string      `json:"meta"`
	Data  string      `json:"data"`
	Flags string      `json:"flags"`
	Raw   *string     `json:"raw"`
	Path  [][3]string `json:"path"`
	TS    string      `json:"ts"`
}

// Canonical gives the canonical form.
func (m *Message) Canonical() Canonical {
	canonical := Canonical{
		ID:    hex.EncodeToString(m.ID[:]),
		RefID: hex.EncodeToString(m.RefID[:]),
		Trace: Text(m.Trace),
		SrcID: hex.EncodeToString(m.SourceID[:]),
		Meta:  table(m.Meta, func(key, value string) (string, string) { return Text(key), Text(value) }),
		Data:  table(m.Data, func(key string, value any) (string, string) { return Text(key), Value(value) }),
		Flags: strconv.FormatUint(uint64(m.Flags), 10),
		Path:  make([][3]string, 0, len(m.Path)),
		TS:    strconv.FormatInt(m.Start, 10),
	}
	if m.Raw != nil {
		raw := bytesOf(m.Raw)
		canonical.Raw = &raw
	}
	for _, hop := range m.Path {
		canonical.Path = append(canonical.Path, [3]string{
			hex.EncodeToString(hop.Gear[:]), hex.EncodeToString(hop.Port[:]), strconv.FormatInt(hop.Time, 10),
		})
	}
	return canonical
}

// Text gives the canonical form of a text.
func Text(text string) string { return "s" + hex.EncodeToString([]byte(text)) }

func bytesOf(content []byte) string { return "b" + hex.EncodeToString(content) }

// Value gives the canonical form of a value: a letter for the type, then the content.
func Value(value any) string {
	switch value := value.(type) {
	case nil:
		return "n"
	case bool:
		return strconv.FormatBool(value)
	case uint64:
		return "i" + strconv.FormatUint(value, 16)
	case int64:
		return "i" + strconv.FormatInt(value, 16)
	case big.Int:
		return "i" + value.Text(16)
	case float64:
		return float(value)
	case string:
		return Text(value)
	case []byte:
		return bytesOf(value)
	case cbor.ByteString:
		return bytesOf([]byte(value))
	case cbor.SimpleValue:
		return "v" + strconv.Itoa(int(value))
	case cbor.Tag:
		return "g" + strconv.FormatUint(value.Number, 10) + "(" + Value(value.Content) + ")"
	case time.Time:
		return "T"
	case []any:
		items := make([]string, len(value))
		for i, item := range value {
			items[i] = Value(item)
		}
		return "[" + strings.Join(items, ",") + "]"
	case map[any]any:
		return table(value, func(key, value any) (string, string) { return Value(key), Value(value) })
	default:
		panic(fmt.Sprintf("the library made a %T, which has no canonical form", value))
	}
}

func float(value float64) string {
	switch {
	case math.IsNaN(value):
		return "dnan"
	case value == 0: // a map takes 0 and -0 for one key
		return "d0"
	default:
		return "d" + strconv.FormatUint(math.Float64bits(value), 16)
	}
}

func table[K comparable, V any](pairs map[K]V, canonical func(K, V) (string, string)) string {
	entries := make([]string, 0, len(pairs))
	for key, value := range pairs {
		key, value := canonical(key, value)
		entries = append(entries, key+"="+value)
	}
	slices.Sort(entries)
	return "{" + strings.Join(entries, ",") + "}"
}
