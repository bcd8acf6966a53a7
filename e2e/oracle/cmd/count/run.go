package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"wasmgear.test/oracle/snake"
)

// Report is the result. Everything in Faults must be empty for a pass; the rest is for people.
type Report struct {
	Pass bool     `json:"pass"`
	Why  []string `json:"why,omitempty"`
	// Doubled is the number of serials with more than one output or dead letter. Complete tells that it ended because everything had come through, and not at the deadline.
	Complete bool                `json:"complete"`
	Seconds  float64             `json:"seconds"`
	In       uint64              `json:"in"`
	Probes   uint64              `json:"probes"`
	Out      uint64              `json:"out"`
	Dead     uint64              `json:"dead"`
	Lost     uint64              `json:"lost"`
	Doubled  uint64              `json:"doubled"`
	Versions map[string]*Version `json:"versions"`
	Reasons  map[string]uint64   `json:"reasons"`
	Stations map[string]uint64   `json:"stations"`
	Disorder Fault               `json:"disorder"`
	Faults   map[string]Fault    `json:"faults,omitempty"`
}

// run reads all subjects until everything has come through or the deadline passes.
func run(ctx context.Context, o options, progress io.Writer) (*Report, error) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, o.deadline)
	defer cancel()
	conn, js, err := snake.Connect(ctx, o.url, "count")
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	from, deadFrom := o.from, uint64(0)
	if o.fromNow {
		if from, err = snake.LastSequence(ctx, js, o.stream); err != nil {
			return nil, err
		}
		if deadFrom, err = snake.LastSequence(ctx, js, o.deadStream); err != nil {
			return nil, err
		}
		from, deadFrom = from+1, deadFrom+1
	}
	fmt.Fprintf(progress, "count: reading stream %s from sequence %d\n", o.stream, max(from, 1))

	var lock sync.Mutex
	t := newTally(o.hops, o.reasonHeader)
	reading, stop := context.WithCancel(ctx)
	defer stop()
	failed := make(chan error, 8)
	var readers sync.WaitGroup
	follow := func(stream, subject string, from uint64, count func(snake.Record)) {
		readers.Go(func() {
			if err := snake.Follow(reading, js, stream, subject, from, func(r snake.Record) bool {
				lock.Lock()
				defer lock.Unlock()
				count(r)
				return true
			}); err != nil {
				failed <- err
			}
		})
	}
	follow(o.stream, o.in, from, t.Input)
	for _, subject := range o.out {
		follow(o.stream, subject, from, t.Output)
	}
	if o.dead != "" {
		follow(o.deadStream, o.dead, deadFrom, t.DeadLetter)
	}

	complete, err := watch(ctx, o, t, &lock, failed, progress)
	if err != nil {
		return nil, err
	}
	if complete {
		select {
		case <-time.After(o.settle):
		case <-ctx.Done():
		}
	}
	stop()
	readers.Wait()
	report := t.report(o)
	report.Complete, report.Seconds = complete, time.Since(began).Seconds()
	return report, nil
}

// watch waits until everything has come through, and says every five seconds how far it is.
func watch(ctx context.Context, o options, t *Tally, lock *sync.Mutex, failed <-chan error, progress io.Writer) (bool, error) {
	look, tell := time.NewTicker(50*time.Millisecond), time.NewTicker(5*time.Second)
	defer look.Stop()
	defer tell.Stop()
	for {
		select {
		case err := <-failed:
			return false, err
		case <-ctx.Done():
			return false, nil
		case <-look.C:
			lock.Lock()
			done := t.finished(o.expect, o.dropped)
			lock.Unlock()
			if done {
				return true, nil
			}
		case <-tell.C:
			lock.Lock()
			fmt.Fprintf(progress, "count: %d in, %d out, %d dead letters\n", t.In, t.Out, t.Dead)
			lock.Unlock()
		}
	}
}

// report draws the conclusions.
func (t *Tally) report(o options) *Report {
	lost, missing := t.close(o.expect)
	r := &Report{
		In: t.In, Probes: t.Probes, Out: t.Out, Dead: t.Dead, Doubled: t.Doubled.Count, Versions: t.versions, Reasons: t.reasons,
		Stations: map[string]uint64{}, Disorder: t.Disorder, Faults: map[string]Fault{},
	}
	for s, count := range t.stations {
		r.Stations[s.String()] = count
	}
	r.Lost = lost.Count
	fault := func(name, why string, f Fault) {
		if f.Count > 0 {
			r.Faults[name] = f
			r.Why = append(r.Why, fmt.Sprintf("%d %s", f.Count, why))
		}
	}
	fault("missing", "of the expected serials never came in", missing)
	fault("inDoubled", "serials came in twice: the source is wrong, or the stream has an older run's messages", t.InDoubled)
	if lost.Count != o.dropped {
		fault("lost", fmt.Sprintf("serials came neither out nor died (%d expected)", o.dropped), lost)
		if lost.Count == 0 {
			r.Why = append(r.Why, fmt.Sprintf("nothing was dropped, expected %d", o.dropped))
		}
	}
	fault("doubled", "serials came out or died more than once", t.Doubled)
	fault("differing", "of the doubled outputs differ from the first in more than the times of their hops", t.Differing)
	fault("foreign", "outputs or dead letters belong to no input", t.Foreign)
	fault("undecodable", "records are no fluxMsg of the generator", t.Undecodable)
	fault("hops", "outputs have a wrong path", t.Hops)
	if o.ordered {
		fault("disorder", "outputs are out of order", t.Disorder)
	}
	if t.Dead != o.died {
		r.Why = append(r.Why, fmt.Sprintf("%d dead letters, expected %d", t.Dead, o.died))
	}
	if len(t.stations) > 1 {
		r.Why = append(r.Why, fmt.Sprintf("%d different gear and port ids in the paths, expected one set", len(t.stations)))
	}
	r.Pass = len(r.Why) == 0
	return r
}

func (r *Report) table(out io.Writer) {
	fmt.Fprintf(out, "\n  in %d   out %d   dead letters %d   lost %d   doubled %d   out of order %d   probes %d   in %.1f s\n",
		r.In, r.Out, r.Dead, r.Lost, r.Doubled, r.Disorder.Count, r.Probes, r.Seconds)
	digests := make([]string, 0, len(r.Versions))
	for digest := range r.Versions {
		digests = append(digests, digest)
	}
	slices.SortFunc(digests, func(a, b string) int { return int(r.Versions[a].First) - int(r.Versions[b].First) })
	for _, digest := range digests {
		v := r.Versions[digest]
		name := digest
		if name == "" {
			name = "(no Wasmgear-Digest)"
		}
		fmt.Fprintf(out, "  %-75s %8d outputs, serials %d to %d\n", name, v.Count, v.First, v.Last)
	}
	for reason, count := range r.Reasons {
		fmt.Fprintf(out, "  dead letters, %s: %d\n", reason, count)
	}
	if r.Pass {
		fmt.Fprintln(out, "  PASS")
		return
	}
	fmt.Fprintln(out, "  FAIL")
	for _, why := range r.Why {
		fmt.Fprintln(out, "   -", why)
	}
	for name, fault := range r.Faults {
		fmt.Fprintf(out, "     %s, for example: %v\n", name, fault.Examples)
	}
	if !r.Complete {
		fmt.Fprintln(out, "   - the deadline passed before everything had come through")
	}
}
