// Command count follows a gear's input, output and dead letters live and says whether every message came through.
//
//	count -url nats://… -in flux.msg.edge-a.line-in.out -out flux.msg.edge-a.masker.out -dead flux.dlq.payments.masker -expect 60000
//
// It counts by the serial that generate put into each payment, on the streams themselves, with ordered consumers of its
// own. It ends when every expected serial has come in and has come out or died, plus a time to see late doubles; or at
// the deadline. A table goes to stderr, JSON to stdout. Exit code 0: nothing lost, nothing doubled; 1: not so; 2: it could
// not be measured.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"wasmgear.test/oracle/command"
)

type options struct {
	url, stream, deadStream string
	in, dead                string
	out                     []string
	expect, dropped, died   uint64
	from                    uint64
	fromNow, ordered        bool
	hops                    int
	deadline, settle        time.Duration
	reasonHeader            string
}

func parse(args []string) (options, error) {
	var o options
	var out string
	flags := flag.NewFlagSet("count", flag.ContinueOnError)
	flags.StringVar(&o.url, "url", "", "NATS server")
	flags.StringVar(&o.stream, "stream", "flux-msg", "stream of inputs and outputs")
	flags.StringVar(&o.deadStream, "dead-stream", "flux-dlq", "stream of dead letters")
	flags.StringVar(&o.in, "in", "", "input subject")
	flags.StringVar(&out, "out", "", "output subjects, separated by commas")
	flags.StringVar(&o.dead, "dead", "", "dead-letter subject")
	flags.Uint64Var(&o.expect, "expect", 0, "number of serials that have to come in")
	flags.Uint64Var(&o.dropped, "dropped", 0, "number of serials that the gear drops on purpose")
	flags.Uint64Var(&o.died, "died", 0, "number of dead letters that is right")
	flags.Uint64Var(&o.from, "from", 0, "first sequence of the stream to look at")
	flags.BoolVar(&o.fromNow, "from-now", false, "look only at what is stored from now on; the line `reading` on stderr says when that is")
	flags.BoolVar(&o.ordered, "ordered", false, "outputs out of order are a fault")
	flags.IntVar(&o.hops, "hops", 2, "hops that the gear adds; -1 does not look at paths")
	flags.DurationVar(&o.deadline, "deadline", 2*time.Minute, "when to give up")
	flags.DurationVar(&o.settle, "settle", 2*time.Second, "how long to look for late doubles")
	flags.StringVar(&o.reasonHeader, "reason-header", "Wasmgear-Reason", "header of dead letters that holds the reason")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if out != "" {
		o.out = strings.Split(out, ",")
	}
	switch {
	case flags.NArg() > 0:
		return o, fmt.Errorf("unexpected argument %q; see -help", flags.Arg(0))
	case o.url == "" || o.in == "" || len(o.out) == 0:
		return o, errors.New("-url, -in and -out are needed")
	case o.expect == 0:
		return o, errors.New("-expect is needed: without it an empty stream would pass")
	case o.from > 0 && o.fromNow:
		return o, errors.New("-from and -from-now contradict each other")
	}
	return o, nil
}

func main() {
	command.Main("count", parse, tell)
}

func tell(ctx context.Context, o options) (int, error) {
	report, err := run(ctx, o, os.Stderr)
	if err != nil {
		return 2, err
	}
	_ = json.NewEncoder(os.Stdout).Encode(report)
	report.table(os.Stderr)
	if !report.Pass {
		return 1, nil
	}
	return 0, nil
}
