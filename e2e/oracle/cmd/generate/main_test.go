package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"

	"wasmgear.test/oracle/broker"
	"wasmgear.test/oracle/fluxmsg"
	"wasmgear.test/oracle/pan"
	"wasmgear.test/oracle/snake"
)

func must(t *testing.T, args ...string) options {
	t.Helper()
	o, err := parse(args)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func stored(t *testing.T, url, subject string, want int) []snake.Record {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	conn, js, err := snake.Connect(ctx, url, "test")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var all []snake.Record
	if err := snake.Follow(ctx, js, snake.Stream, subject, 0, func(r snake.Record) bool {
		all = append(all, r)
		return len(all) < want
	}); err != nil {
		t.Fatal(err)
	}
	if len(all) != want {
		t.Fatalf("%d messages on %s, expected %d", len(all), subject, want)
	}
	return all
}

func TestEveryPaymentIsStoredOnceUnderFluxrigsHeaderAndOnlyThat(t *testing.T) {
	url := broker.Start(t)
	pans := filepath.Join(t.TempDir(), "pans")
	summary, err := run(context.Background(), must(t, "-url", url, "-count", "3000", "-first", "11", "-pans", pans, "-probes", "2"), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if summary.Count != 3000 || summary.Confirmed != 3000 || summary.First != 11 || summary.Last != 3010 || !summary.StreamMade {
		t.Fatalf("%+v", summary)
	}
	list, err := os.ReadFile(pans)
	if err != nil {
		t.Fatal(err)
	}
	numbers := strings.Fields(string(list))
	if len(numbers) != 3000 {
		t.Fatalf("%d card numbers for 3000 payments", len(numbers))
	}
	records := stored(t, url, "flux.msg.edge-a.line-in.out", 3002)
	for i, record := range records {
		message, err := fluxmsg.Decode(record.Body)
		if err != nil {
			t.Fatal(err)
		}
		if i < 2 {
			if message.Flags != fluxmsg.ProbeFlag || len(record.Header) != 0 {
				t.Fatalf("record %d is no probe: %+v %v", i, message, record.Header)
			}
			continue
		}
		if n, _ := message.Serial(); n != uint64(i-2+11) {
			t.Fatalf("record %d has serial %d", i, n)
		}
		want := message.ID.String() + "-1-flux.msg.edge-a.line-in.out"
		if len(record.Header) != 1 || record.Header.Get("Nats-Msg-Id") != want {
			t.Fatalf("headers %v, expected only Nats-Msg-Id: %s", record.Header, want)
		}
		found := false
		pan.NewScanner(numbers[i-2:i-1]).Scan(record.Body, func(f pan.Finding) { found = found || f.Known })
		if !found {
			t.Fatalf("line %d of the list is not the card of payment %d", i-2, i-2+11)
		}
	}
}

func TestTheStreamIsMadeAsFluxrigMakesIt(t *testing.T) {
	url := broker.Start(t)
	if _, err := run(context.Background(), must(t, "-url", url, "-count", "1"), io.Discard); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	conn, js, err := snake.Connect(ctx, url, "test")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	stream, err := js.Stream(ctx, "flux-msg")
	if err != nil {
		t.Fatal(err)
	}
	c := stream.CachedInfo().Config
	if strings.Join(c.Subjects, " ") != "flux.msg.> flux.agent.> flux.rack.> flux.ctrl.>" || c.MaxAge != 24*time.Hour ||
		c.MaxBytes != 1<<30 || c.Duplicates != 2*time.Minute || c.Replicas != 1 {
		t.Fatalf("%+v", c)
	}
	again, err := run(ctx, must(t, "-url", url, "-count", "1"), io.Discard)
	if err != nil || again.StreamMade {
		t.Fatalf("a stream that is there must stay: %+v %v", again, err)
	}
}

func TestAnOpenLoopKeepsItsRateAndEndsWithItsDuration(t *testing.T) {
	url := broker.Start(t)
	summary, err := run(context.Background(), must(t, "-url", url, "-rate", "1000", "-duration", "2s"), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	// The count follows from rate and duration alone, however slow the machine.
	if summary.Count != 2000 || summary.Confirmed != 2000 {
		t.Fatalf("%+v", summary)
	}
	if summary.Seconds < 1.9 {
		t.Fatalf("2000 messages at 1000 per second took %.2f s", summary.Seconds)
	}
}

func TestAFileHoldsTheSameSequenceOfRecords(t *testing.T) {
	file := filepath.Join(t.TempDir(), "in.cbor")
	if _, err := run(context.Background(), must(t, "-count", "100", "-file", file), io.Discard); err != nil {
		t.Fatal(err)
	}
	body, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for n := uint64(1); len(body) > 0; n++ {
		var message fluxmsg.Message
		if body, err = cbor.UnmarshalFirst(body, &message); err != nil {
			t.Fatal(err)
		}
		if got, _ := message.Serial(); got != n {
			t.Fatalf("record %d has serial %d", n, got)
		}
	}
}

func TestContradictoryFlagsAreRefused(t *testing.T) {
	for name, args := range map[string][]string{
		"neither count nor duration": {"-url", "x"},
		"both":                       {"-url", "x", "-count", "1", "-duration", "1s"},
		"nowhere to write":           {"-count", "1"},
		"duration without a server":  {"-file", "x", "-duration", "1s"},
		"negative rate":              {"-url", "x", "-count", "1", "-rate", "-1"},
		"stray argument":             {"-url", "x", "-count", "1", "more"},
	} {
		if _, err := parse(args); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestAServerThatDoesNotAnswerIsNamed(t *testing.T) {
	_, err := run(context.Background(), must(t, "-url", "nats://127.0.0.1:1", "-count", "1", "-wait", "200ms"), io.Discard)
	if err == nil || !strings.Contains(err.Error(), "nats://127.0.0.1:1 does not answer") {
		t.Fatal(err)
	}
}
