package fluxmsg

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// Difference says in which field two messages differ, or nothing. Null and empty are the same.
func Difference(a, b *Message) string {
	switch {
	case a.ID != b.ID:
		return fmt.Sprintf("id: %s, %s", a.ID, b.ID)
	case a.RefID != b.RefID:
		return fmt.Sprintf("ref_id: %s, %s", a.RefID, b.RefID)
	case a.Trace != b.Trace:
		return fmt.Sprintf("trace: %q, %q", a.Trace, b.Trace)
	case a.SourceID != b.SourceID:
		return fmt.Sprintf("src_id: %s, %s", a.SourceID, b.SourceID)
	case !maps.Equal(a.Meta, b.Meta):
		return fmt.Sprintf("meta: %q, %q", a.Meta, b.Meta)
	case !maps.EqualFunc(a.Data, b.Data, same):
		return fmt.Sprintf("data: %v, %v", a.Data, b.Data)
	case a.Flags != b.Flags:
		return fmt.Sprintf("flags: %d, %d", a.Flags, b.Flags)
	case (a.Raw == nil) != (b.Raw == nil) || !bytes.Equal(a.Raw, b.Raw):
		return fmt.Sprintf("raw: %x, %x", a.Raw, b.Raw)
	case !slices.Equal(a.Path, b.Path):
		return fmt.Sprintf("path: %d hops, %d hops, or one of them differs", len(a.Path), len(b.Path))
	case a.Start != b.Start:
		return fmt.Sprintf("ts: %d, %d", a.Start, b.Start)
	default:
		return ""
	}
}

func same(a, b any) bool {
	switch a := a.(type) {
	case float64:
		b, ok := b.(float64)
		return ok && (math.Float64bits(a) == math.Float64bits(b) || math.IsNaN(a) && math.IsNaN(b))
	case []byte:
		b, ok := b.([]byte)
		return ok && bytes.Equal(a, b)
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, same)
	case map[any]any:
		b, ok := b.(map[any]any)
		return ok && maps.EqualFunc(a, b, same)
	case big.Int:
		b, ok := b.(big.Int)
		return ok && a.Cmp(&b) == 0
	case time.Time:
		b, ok := b.(time.Time)
		return ok && a.Equal(b)
	case cbor.Tag:
		b, ok := b.(cbor.Tag)
		return ok && a.Number == b.Number && same(a.Content, b.Content)
	default:
		return a == b
	}
}
