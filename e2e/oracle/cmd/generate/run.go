package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"wasmgear.test/oracle/fluxmsg"
	"wasmgear.test/oracle/payment"
	"wasmgear.test/oracle/snake"
)

// Summary is what one run did.
type Summary struct {
	Subject    string `json:"subject"`
	Stream     string `json:"stream"`
	StreamMade bool   `json:"streamMade"`
	First      uint64 `json:"first"`
	Last       uint64 `json:"last"`
	// Count is the number of payments made; Confirmed is how many of them the server stored, Duplicates how many of those
	// it had stored before the answer that arrived (a publish that was tried again).
	Count      uint64            `json:"count"`
	Confirmed  uint64            `json:"confirmed"`
	Duplicates uint64            `json:"duplicates"`
	Again      uint64            `json:"publishedAgain"`
	Bytes      uint64            `json:"bytes"`
	Places     map[string]uint64 `json:"places"`
	Seconds    float64           `json:"seconds"`
	Rate       float64           `json:"rate"`
	// Late is the largest distance between a message's moment and its publish, in milliseconds.
	Late float64 `json:"lateMs"`
}

// sent is a publish whose answer is not known yet.
type sent struct {
	future  jetstream.PubAckFuture
	message *nats.Msg
}

type generator struct {
	options
	js       jetstream.JetStream
	maker    *payment.Maker
	pans     *output
	records  *output
	summary  Summary
	waiting  []sent
	progress io.Writer
}

func run(ctx context.Context, o options, progress io.Writer) (Summary, error) {
	g := &generator{options: o, maker: payment.NewMaker(o.seed), progress: progress}
	g.maker.Pad = o.pad
	g.summary = Summary{
		Subject: fmt.Sprintf("flux.msg.%s.%s.%s", o.rack, o.gear, o.port), Stream: o.stream,
		First: o.first, Places: map[string]uint64{},
	}
	var err error
	if g.pans, err = create(o.pans); err != nil {
		return g.summary, err
	}
	if g.records, err = create(o.file); err != nil {
		return g.summary, err
	}
	if o.url != "" {
		starting, cancel := context.WithTimeout(ctx, o.wait)
		defer cancel()
		conn, js, err := snake.Connect(starting, o.url, "generate")
		if err != nil {
			return g.summary, err
		}
		defer conn.Close()
		g.js = js
		if g.summary.StreamMade, err = snake.EnsureStream(starting, js, o.stream); err != nil {
			return g.summary, fmt.Errorf("stream %s: %w", o.stream, err)
		}
		if err := g.probe(starting); err != nil {
			return g.summary, err
		}
	}
	err = g.loop(ctx)
	return g.summary, errors.Join(err, g.pans.close(), g.records.close())
}

// probe publishes handshake probes: empty records with flag bit 0, under an id of their own.
func (g *generator) probe(ctx context.Context) error {
	for range g.probes {
		body, err := (&fluxmsg.Message{
			ID: uuid.Must(uuid.NewV7()), Meta: map[string]string{}, Data: map[string]any{}, Flags: fluxmsg.ProbeFlag, Path: []fluxmsg.Hop{},
		}).Encode()
		if err != nil {
			return err
		}
		if _, err := g.js.Publish(ctx, g.summary.Subject, body); err != nil {
			return fmt.Errorf("a probe on %s: %w", g.summary.Subject, err)
		}
	}
	return nil
}

func (g *generator) loop(ctx context.Context) error {
	began := time.Now()
	told := began
	for made := uint64(0); g.count == 0 || made < g.count; made++ {
		moment := time.Now()
		if g.rate > 0 {
			// The moment follows from the number alone: a slow stretch is caught up, never forgotten.
			moment = began.Add(time.Duration(float64(made) / g.rate * float64(time.Second)))
		}
		if g.duration > 0 && moment.Sub(began) >= g.duration {
			break
		}
		if err := g.until(ctx, moment); err != nil {
			return err
		}
		if err := g.emit(g.first + made); err != nil {
			return err
		}
		if now := time.Now(); now.Sub(told) >= 5*time.Second {
			told = now
			fmt.Fprintf(g.progress, "generate: %d published, %d confirmed, %.0f per second\n", g.summary.Count, g.summary.Confirmed,
				float64(g.summary.Count)/now.Sub(began).Seconds())
		}
	}
	g.summary.Seconds = time.Since(began).Seconds()
	g.summary.Rate = float64(g.summary.Count) / g.summary.Seconds
	return g.settle(ctx)
}

// until waits for a message's moment.
func (g *generator) until(ctx context.Context, moment time.Time) error {
	late := time.Since(moment)
	if late >= 0 {
		g.summary.Late = max(g.summary.Late, late.Seconds()*1000)
		return ctx.Err()
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(-late):
		return nil
	}
}

func (g *generator) emit(serial uint64) error {
	made := g.maker.Make(serial, time.Now())
	body, err := made.Message.Encode()
	if err != nil {
		return fmt.Errorf("payment %d: %w", serial, err)
	}
	if err := made.Message.Validate(fluxmsg.MaxHops, fluxmsg.MaxPayloadSize); err != nil {
		return fmt.Errorf("payment %d: %w", serial, err)
	}
	g.summary.Count++
	g.summary.Last = serial
	g.summary.Bytes += uint64(len(body))
	g.summary.Places[made.Place]++
	fmt.Fprintln(g.pans.buffer, made.PAN)
	if _, err := g.records.buffer.Write(body); err != nil {
		return err
	}
	if g.js == nil {
		return nil
	}
	message := nats.NewMsg(g.summary.Subject)
	message.Data = body
	// fluxrig's only header: id, number of hops, subject.
	message.Header.Set(nats.MsgIdHdr, fmt.Sprintf("%s-%d-%s", made.Message.ID, len(made.Message.Path), g.summary.Subject))
	return g.publish(message)
}

// publish hands one message over. It waits while the server owes too many answers: that bounds memory, and with a rate it
// shows as lateness in the summary.
func (g *generator) publish(message *nats.Msg) error {
	future, err := g.js.PublishMsgAsync(message, jetstream.WithStallWait(g.wait))
	if errors.Is(err, jetstream.ErrTooManyStalledMsgs) {
		return fmt.Errorf("the server has not answered for %v", g.wait)
	}
	if err != nil {
		return fmt.Errorf("publishing on %s: %w", message.Subject, err)
	}
	g.waiting = append(g.waiting, sent{future, message})
	g.collect()
	return nil
}

// collect takes the answers that are there, in the order of the publishes.
func (g *generator) collect() {
	done := 0
	for _, s := range g.waiting {
		select {
		case ack := <-s.future.Ok():
			g.confirmed(ack)
		case <-s.future.Err():
			g.again(s)
		default:
			g.waiting = g.waiting[done:]
			return
		}
		done++
	}
	g.waiting = g.waiting[done:]
}

func (g *generator) confirmed(ack *jetstream.PubAck) {
	g.summary.Confirmed++
	if ack.Duplicate {
		g.summary.Duplicates++
	}
}

// again publishes under the same id: the server drops it when the first try was stored after all.
func (g *generator) again(s sent) {
	g.summary.Again++
	message := nats.NewMsg(s.message.Subject)
	message.Data = s.message.Data
	message.Header = s.message.Header
	if future, err := g.js.PublishMsgAsync(message, jetstream.WithStallWait(g.wait)); err == nil {
		g.waiting = append(g.waiting, sent{future, message})
	}
}

// settle waits for the answers that are still owed.
func (g *generator) settle(ctx context.Context) error {
	deadline := time.Now().Add(g.wait)
	for len(g.waiting) > 0 && time.Now().Before(deadline) && ctx.Err() == nil {
		s := g.waiting[0]
		g.waiting = g.waiting[1:]
		select {
		case ack := <-s.future.Ok():
			g.confirmed(ack)
		case <-s.future.Err():
			g.again(s)
		case <-time.After(time.Until(deadline)):
		case <-ctx.Done():
		}
	}
	if g.js != nil && g.summary.Confirmed != g.summary.Count {
		return fmt.Errorf("%d of %d messages are not confirmed", g.summary.Count-g.summary.Confirmed, g.summary.Count)
	}
	return ctx.Err()
}
