package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
)

// maxRecord is far above what any test sends; a larger length is a stream out of step.
const maxRecord = 64 << 20

// readRecord reads one record; it is valid until the next call with the same buffer. io.EOF means that there was none.
func readRecord(in *bufio.Reader, buffer *[]byte) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return nil, err
	}
	length := binary.BigEndian.Uint32(head[:])
	if length > maxRecord {
		return nil, fmt.Errorf("a record of %d bytes, at most %d are expected: the stream is out of step", length, maxRecord)
	}
	if cap(*buffer) < int(length) {
		*buffer = make([]byte, length)
	}
	record := (*buffer)[:length]
	if _, err := io.ReadFull(in, record); err != nil {
		return nil, fmt.Errorf("a record ends early: %w", io.ErrUnexpectedEOF)
	}
	return record, nil
}

func writeRecord(out *bufio.Writer, record []byte) error {
	var head [4]byte
	binary.BigEndian.PutUint32(head[:], uint32(len(record)))
	if _, err := out.Write(head[:]); err != nil {
		return err
	}
	_, err := out.Write(record)
	return err
}
