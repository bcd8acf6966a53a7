package payment

import (
	"reflect"
	"testing"
	"time"

	"wasmgear.test/oracle/fluxmsg"
	"wasmgear.test/oracle/pan"
)

func TestEveryPaymentReadsBackAndHoldsItsCardNumberOnceInEveryPlace(t *testing.T) {
	maker := NewMaker(7)
	seen := map[string]int{}
	for serial := uint64(1); serial <= 5_000; serial++ {
		made := maker.Make(serial, time.Now())
		body, err := made.Message.Encode()
		if err != nil {
			t.Fatal(err)
		}
		read, err := fluxmsg.Decode(body)
		if err != nil {
			t.Fatal(err)
		}
		if n, ok := read.Serial(); !ok || n != serial {
			t.Fatalf("serial %d came back as %d", serial, n)
		}
		seen[made.Place]++
		found := false
		pan.NewScanner([]string{made.PAN}).Scan(body, func(f pan.Finding) { found = found || f.Known })
		if !found {
			t.Fatalf("%s in %s is not found in its own payment", made.PAN, made.Place)
		}
		// What looks like a card but is none would make a clean run look dirty.
		clean := pan.NewScanner(nil)
		clean.Scan(body, func(f pan.Finding) {
			if f.Number != made.PAN {
				t.Fatalf("payment %d holds %s beside its own %s", serial, f.Number, made.PAN)
			}
		})
	}
	for _, place := range places {
		if seen[place.name] == 0 {
			t.Errorf("no payment has its number in %s: %v", place.name, seen)
		}
	}
}

func TestTheSameSeedAndSerialGiveTheSamePaymentUnderANewID(t *testing.T) {
	at := time.Unix(1_800_000_000, 1)
	first, again := NewMaker(7).Make(42, at), NewMaker(7).Make(42, at)
	if !reflect.DeepEqual(first, again) {
		t.Fatal("one moment, two payments")
	}
	later := NewMaker(7).Make(42, at.Add(time.Microsecond))
	if later.Message.ID == first.Message.ID || later.PAN != first.PAN || later.Place != first.Place {
		t.Fatal("a microsecond later the id must be new and the card the same")
	}
	if other := NewMaker(8).Make(42, at); other.PAN == first.PAN {
		t.Fatal("another seed, the same card")
	}
}

func TestIDsAreVersionSevenAndNeverRepeat(t *testing.T) {
	maker, seen := NewMaker(1), map[[16]byte]bool{}
	for serial := range uint64(100_000) {
		id := maker.Make(serial, time.Now()).Message.ID
		if id.Version() != 7 || seen[id] {
			t.Fatalf("id %s: version %d, seen %v", id, id.Version(), seen[id])
		}
		seen[id] = true
	}
}
