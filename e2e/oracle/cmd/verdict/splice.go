package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"wasmgear.test/oracle/fluxmsg"

	"github.com/google/uuid"
)

// splice sends records out, reads edited ones back and checks that each is the same message with the edits of its
// number, and nothing else changed.
//
// Record i gets two hops; then, by i modulo 5: nothing (0), an id (1), two entries of meta (2), flux.port taken out of
// meta (3), or all of these (4).
func splice(in *bufio.Reader, pipe io.WriteCloser, seed, count uint64) error {
	out := bufio.NewWriterSize(pipe, 1<<20)
	sent := make(chan []byte, 1<<14)
	failed := make(chan error, 1)
	go func() {
		defer close(sent)
		records := newGenerator(seed)
		for range count {
			record := records.next()
			sent <- record
			if err := writeRecord(out, record); err != nil {
				failed <- err
				return
			}
		}
		// The other side flushes its last records when it sees the end of ours.
		if err := errors.Join(out.Flush(), pipe.Close()); err != nil {
			failed <- err
		}
	}()

	var (
		buffer  []byte
		number  uint64
		started = time.Now()
		said    = started
	)
	for original := range sent {
		edited, err := readRecord(in, &buffer)
		if err != nil {
			return fmt.Errorf("record %d did not come back: %w", number, err)
		}
		if err := checkEdit(number, original, edited); err != nil {
			return fmt.Errorf("record %d: %w\noriginal %x\nedited   %x", number, err, original, edited)
		}
		number++
		if time.Since(said) > 5*time.Second {
			said = time.Now()
			fmt.Fprintf(os.Stderr, "verdict: %d of %d records checked in %.0f s\n", number, count, time.Since(started).Seconds())
		}
	}
	select {
	case err := <-failed:
		return err
	default:
	}
	if number != count {
		return fmt.Errorf("%d of %d records checked", number, count)
	}
	fmt.Fprintf(os.Stderr, "verdict: all %d records checked in %.1f s\n", count, time.Since(started).Seconds())
	return nil
}

func checkEdit(number uint64, original, edited []byte) error {
	want, err := fluxmsg.Decode(original)
	if err != nil {
		return fmt.Errorf("the generator made a record that the library refuses: %w", err)
	}
	got, err := fluxmsg.Decode(edited)
	if err != nil {
		return fmt.Errorf("the library refuses the edited record: %w", err)
	}
	expectEdit(number, &want)
	if difference := fluxmsg.Difference(&want, &got); difference != "" {
		return errors.New("expected, got: " + difference)
	}
	return nil
}

func expectEdit(number uint64, message *fluxmsg.Message) {
	stamp := int64(number)*1_000_003 - 5_000_000_000
	message.Path = append(message.Path,
		fluxmsg.Hop{Gear: numbered(number, 1), Port: numbered(number, 2), Time: stamp},
		fluxmsg.Hop{Gear: numbered(number, 3), Port: numbered(number, 4), Time: stamp + 1},
	)
	kind := number % 5
	if kind == 1 || kind == 4 {
		message.ID = numbered(number, 5)
	}
	if kind == 3 || kind == 4 {
		delete(message.Meta, "flux.port")
	}
	if kind == 2 || kind == 4 {
		if message.Meta == nil {
			message.Meta = map[string]string{}
		}
		message.Meta["traceparent"] = fmt.Sprintf("00-%032x-%016x-01", number+1, number+2)
		message.Meta["tracestate"] = fmt.Sprintf("wasmgear=%d", number)
	}
}

func numbered(number uint64, part byte) (id uuid.UUID) {
	binary.BigEndian.PutUint64(id[:], number)
	for i := 8; i < 16; i++ {
		id[i] = part
	}
	return id
}
