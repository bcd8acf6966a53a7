// Package snake is the oracle's side of fluxrig's message stream: connecting, the stream as fluxrig makes it, and reading a
// subject live with an ordered consumer.
package snake

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Stream is fluxrig's message stream under its usual name.
const Stream = "flux-msg"

// DeadLetters is the stream of dead letters.
const DeadLetters = "flux-dlq"

// Connect connects to a server and waits up to a deadline for it, since in a cluster it may only be coming up.
func Connect(ctx context.Context, url, name string) (*nats.Conn, jetstream.JetStream, error) {
	conn, err := nats.Connect(url, nats.Name(name), nats.MaxReconnects(-1), nats.ReconnectWait(200*time.Millisecond),
		nats.RetryOnFailedConnect(true))
	if err != nil {
		return nil, nil, fmt.Errorf("NATS at %s: %w", url, err)
	}
	for !conn.IsConnected() {
		select {
		case <-ctx.Done():
			conn.Close()
			return nil, nil, fmt.Errorf("NATS at %s does not answer: %w", url, conn.LastError())
		case <-time.After(20 * time.Millisecond):
		}
	}
	// An answer that got lost with a server comes back as an error, so that the publisher can try again.
	js, err := jetstream.New(conn, jetstream.WithPublishAsyncMaxPending(4096), jetstream.WithPublishAsyncTimeout(5*time.Second))
	return conn, js, err
}

// EnsureStream makes the stream as fluxrig's Mixer does, when it is not there. One that is there stays as it is.
func EnsureStream(ctx context.Context, js jetstream.JetStream, name string) (made bool, err error) {
	_, err = js.Stream(ctx, name)
	if !errors.Is(err, jetstream.ErrStreamNotFound) {
		return false, err
	}
	_, err = js.CreateStream(ctx, jetstream.StreamConfig{
		Name:      name,
		Subjects:  []string{"flux.msg.>", "flux.agent.>", "flux.rack.>", "flux.ctrl.>"},
		Retention: jetstream.LimitsPolicy,
		Storage:   jetstream.FileStorage,
		Replicas:  1,
		MaxAge:    24 * time.Hour,
		MaxBytes:  1 << 30,
	})
	return err == nil, err
}

// Record is one stored message.
type Record struct {
	Subject  string
	Header   nats.Header
	Body     []byte
	Sequence uint64
	Stored   time.Time
	// Pending is the number of messages behind this one, when the server sent it.
	Pending uint64
}

// Follow calls found for every message of a subject, from the stream's beginning and then live, in order and each once,
// until the context ends or found says stop. A stream that does not exist yet is waited for.
func Follow(ctx context.Context, js jetstream.JetStream, stream, subject string, from uint64, found func(Record) bool) error {
	for {
		_, err := js.Stream(ctx, stream)
		if err == nil {
			break
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(100 * time.Millisecond):
		}
	}
	config := jetstream.OrderedConsumerConfig{FilterSubjects: []string{subject}, DeliverPolicy: jetstream.DeliverAllPolicy}
	if from > 0 {
		config.DeliverPolicy, config.OptStartSeq = jetstream.DeliverByStartSequencePolicy, from
	}
	consumer, err := js.OrderedConsumer(ctx, stream, config)
	if err != nil {
		return fmt.Errorf("reading %s of stream %s: %w", subject, stream, err)
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessages(1000))
	if err != nil {
		return fmt.Errorf("reading %s of stream %s: %w", subject, stream, err)
	}
	defer messages.Stop()
	defer context.AfterFunc(ctx, messages.Stop)()
	for last := uint64(0); ; {
		message, err := messages.Next()
		if errors.Is(err, jetstream.ErrMsgIteratorClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading %s of stream %s: %w", subject, stream, err)
		}
		meta, err := message.Metadata()
		if err != nil {
			return fmt.Errorf("a message of stream %s without metadata: %w", stream, err)
		}
		// An ordered consumer that was made anew may begin with what it had.
		if meta.Sequence.Stream <= last {
			continue
		}
		last = meta.Sequence.Stream
		if !found(Record{message.Subject(), message.Headers(), message.Data(), last, meta.Timestamp, meta.NumPending}) {
			return nil
		}
	}
}

// Stored calls found for every message of a subject that is stored now.
func Stored(ctx context.Context, js jetstream.JetStream, stream, subject string, found func(Record)) error {
	s, err := js.Stream(ctx, stream)
	if err != nil {
		return fmt.Errorf("stream %s: %w", stream, err)
	}
	info, err := s.Info(ctx, jetstream.WithSubjectFilter(subject))
	if err != nil {
		return fmt.Errorf("stream %s: %w", stream, err)
	}
	if len(info.State.Subjects) == 0 {
		return nil
	}
	return Follow(ctx, js, stream, subject, 0, func(r Record) bool {
		found(r)
		return r.Pending > 0
	})
}

// LastSequence is the sequence of the newest message of a stream; 0 when there is no stream or nothing in it.
func LastSequence(ctx context.Context, js jetstream.JetStream, stream string) (uint64, error) {
	s, err := js.Stream(ctx, stream)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return s.CachedInfo().State.LastSeq, nil
}
