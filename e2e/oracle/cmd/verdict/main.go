// Verdict says what fluxrig's CBOR library makes of records, and makes records for others to read.
//
//	verdict judge                          records in; for each a line of JSON out: accepted or not, and what was read
//	verdict generate -seed S -count N      N random valid records out
//	verdict splice -seed S -count N        the same records out; edited ones back in, checked one by one
//
// Records are preceded by their length, four bytes, big endian.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"wasmgear.test/oracle/fluxmsg"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "verdict:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return errors.New("expected one of judge, generate, splice")
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	seed := flags.Uint64("seed", 1, "what the records are made from")
	count := flags.Uint64("count", 1, "how many records")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	in, out := bufio.NewReaderSize(os.Stdin, 1<<20), bufio.NewWriterSize(os.Stdout, 1<<20)
	switch args[0] {
	case "judge":
		return judge(in, out)
	case "generate":
		return generate(out, *seed, *count)
	case "splice":
		return splice(in, os.Stdout, *seed, *count)
	default:
		return fmt.Errorf("%q is none of judge, generate, splice", args[0])
	}
}

type verdict struct {
	Accept  bool               `json:"accept"`
	Error   string             `json:"error,omitempty"`
	Message *fluxmsg.Canonical `json:"message,omitempty"`
}

func judge(in *bufio.Reader, out *bufio.Writer) error {
	lines := json.NewEncoder(out)
	var buffer []byte
	for {
		record, err := readRecord(in, &buffer)
		if errors.Is(err, io.EOF) {
			return out.Flush()
		}
		if err != nil {
			return err
		}
		if err := lines.Encode(judgement(record)); err != nil {
			return err
		}
		if in.Buffered() == 0 { // somebody waits for the answer
			if err := out.Flush(); err != nil {
				return err
			}
		}
	}
}

func judgement(record []byte) verdict {
	message, err := fluxmsg.Decode(record)
	if err == nil {
		err = message.Validate(fluxmsg.MaxHops, fluxmsg.MaxPayloadSize)
	}
	if err != nil {
		return verdict{Error: err.Error()}
	}
	canonical := message.Canonical()
	return verdict{Accept: true, Message: &canonical}
}

func generate(out *bufio.Writer, seed, count uint64) error {
	records := newGenerator(seed)
	for range count {
		if err := writeRecord(out, records.next()); err != nil {
			return err
		}
	}
	return out.Flush()
}
