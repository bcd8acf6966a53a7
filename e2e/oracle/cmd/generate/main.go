// Command generate publishes card payments on fluxrig's message stream, as a rack does.
//
//	generate -url nats://… -rack edge-a -gear line-in -rate 1000 -duration 60s -pans pans.txt
//
// With a rate it is an open loop: each message has its moment, whether or not the server has answered for the earlier
// ones. Without a rate it publishes as fast as the server confirms. Every message is confirmed or published again under
// the same id before the program ends; what is left unconfirmed makes it fail. The summary on stdout is JSON.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"wasmgear.test/oracle/command"
)

type options struct {
	url, stream, rack, gear, port string
	rate                          float64
	count                         uint64
	duration                      time.Duration
	first, seed                   uint64
	pad, probes                   int
	wait                          time.Duration
	pans, file                    string
}

func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("generate", flag.ContinueOnError)
	flags.StringVar(&o.url, "url", "", "NATS server; nothing is published without one")
	flags.StringVar(&o.stream, "stream", "flux-msg", "stream, made as fluxrig makes it when it is absent")
	flags.StringVar(&o.rack, "rack", "edge-a", "rack of the source gear")
	flags.StringVar(&o.gear, "gear", "line-in", "source gear")
	flags.StringVar(&o.port, "port", "out", "its port")
	flags.Float64Var(&o.rate, "rate", 0, "messages per second; 0 is as fast as possible")
	flags.Uint64Var(&o.count, "count", 0, "number of messages")
	flags.DurationVar(&o.duration, "duration", 0, "how long to publish, when there is no count")
	flags.Uint64Var(&o.first, "first", 1, "serial of the first message")
	flags.Uint64Var(&o.seed, "seed", 1, "the same seed gives the same payments")
	flags.IntVar(&o.pad, "pad", 0, "bytes that are added to each payment")
	flags.IntVar(&o.probes, "probes", 0, "handshake probes that are published first, as a subscribing rack does")
	flags.DurationVar(&o.wait, "wait", 30*time.Second, "how long to wait for the server at the start, and for confirmations at the end")
	flags.StringVar(&o.pans, "pans", "", "file that gets the card numbers in clear, one per line, for scan")
	flags.StringVar(&o.file, "file", "", "file that gets the records as a CBOR sequence")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	switch {
	case flags.NArg() > 0:
		return o, fmt.Errorf("unexpected argument %q; see -help", flags.Arg(0))
	case (o.count == 0) == (o.duration == 0):
		return o, errors.New("exactly one of -count and -duration is needed")
	case o.duration > 0 && o.url == "":
		return o, errors.New("-duration needs -url; use -count to write a file")
	case o.url == "" && o.file == "":
		return o, errors.New("one of -url and -file is needed")
	case o.rate < 0:
		return o, fmt.Errorf("-rate is %v; expected 0 or more", o.rate)
	}
	return o, nil
}

func main() {
	command.Main("generate", parse, tell)
}

func tell(ctx context.Context, o options) (int, error) {
	summary, err := run(ctx, o, os.Stderr)
	_ = json.NewEncoder(os.Stdout).Encode(summary)
	if err != nil {
		return 1, err
	}
	return 0, nil
}

// output is a file for lines or records, or nothing at all.
type output struct {
	file   *os.File
	buffer *bufio.Writer
}

func create(path string) (*output, error) {
	if path == "" {
		return &output{buffer: bufio.NewWriter(io.Discard)}, nil
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	return &output{file, bufio.NewWriterSize(file, 1<<20)}, nil
}

func (o *output) close() error {
	err := o.buffer.Flush()
	if o.file != nil {
		err = errors.Join(err, o.file.Close())
	}
	return err
}
