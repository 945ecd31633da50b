// SPDX-License-Identifier: MIT

// A build cache in several folders: what a go command since 1.24 starts as GOCACHEPROG.
//
//	build-cache WRITABLE [READ-ONLY]...
//
// Each folder is laid out as GOCACHE is, so that older go commands can begin with links to it.  What is new goes into the first, with
// one time for all entries: the folder is then the same wherever and whenever it is made, and can be the output of a build
// without being copied.
//
// The protocol is that of cmd/go/internal/cacheprog: requests are JSON, one a line, and a body follows as a string in base64.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const made = 1000000000 // nanoseconds: one second after the epoch

type request struct {
	ID                 int64
	Command            string
	ActionID, OutputID []byte
	BodySize           int64
}

type response struct {
	ID            int64
	Err           string     `json:",omitempty"`
	KnownCommands []string   `json:",omitempty"`
	Miss          bool       `json:",omitempty"`
	OutputID      []byte     `json:",omitempty"`
	Size          int64      `json:",omitempty"`
	Time          *time.Time `json:",omitempty"`
	DiskPath      string     `json:",omitempty"`
}

type cache struct{ folders []string }

func name(folder string, id []byte, kind string) string {
	return filepath.Join(folder, fmt.Sprintf("%02x", id[0]), fmt.Sprintf("%x-%s", id, kind))
}

// An entry of the index: "v1 ACTION OUTPUT SIZE TIME".
func readEntry(file string) (output []byte, size int64, ok bool) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, 0, false
	}
	var action, hex string
	var nanoseconds int64
	if n, _ := fmt.Sscanf(string(text), "v1 %s %s %d %d\n", &action, &hex, &size, &nanoseconds); n != 4 {
		return nil, 0, false
	}
	if n, _ := fmt.Sscanf(hex, "%x", &output); n != 1 {
		return nil, 0, false
	}
	return output, size, true
}

func (c *cache) get(r *request) *response {
	for _, folder := range c.folders {
		output, size, ok := readEntry(name(folder, r.ActionID, "a"))
		if !ok || len(output) == 0 {
			continue
		}
		file := name(folder, output, "d")
		if info, err := os.Stat(file); err != nil || info.Size() != size {
			continue
		}
		at := time.Unix(0, made)
		return &response{OutputID: output, Size: size, Time: &at, DiskPath: file}
	}
	return &response{Miss: true}
}

// Writes a file that others see when it is whole.
func write(file string, from io.Reader) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(file), "new-")
	if err != nil {
		return err
	}
	_, err = io.Copy(f, from)
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// The body is read to its end also where it cannot be written.
func (c *cache) put(r *request, body io.Reader) *response {
	file := name(c.folders[0], r.OutputID, "d")
	err := write(file, body)
	io.Copy(io.Discard, body)
	if err == nil {
		entry := fmt.Sprintf("v1 %x %x %20d %20d\n", r.ActionID, r.OutputID, r.BodySize, made)
		err = write(name(c.folders[0], r.ActionID, "a"), strings.NewReader(entry))
	}
	if err != nil {
		return &response{Err: err.Error()}
	}
	return &response{DiskPath: file}
}

// The body of a request: a string of base64 in the next line.  What follows it is left in the stream.
func newBody(in *bufio.Reader, size int64) (io.Reader, error) {
	if size == 0 {
		return strings.NewReader(""), nil
	}
	for {
		b, err := in.ReadByte()
		if err != nil {
			return nil, err
		}
		if b == '"' {
			encoded := io.LimitReader(in, int64(base64.StdEncoding.EncodedLen(int(size))))
			return base64.NewDecoder(base64.StdEncoding, encoded), nil
		}
	}
}

func (c *cache) answer(r *request, in *bufio.Reader) (*response, error) {
	switch r.Command {
	case "get":
		return c.get(r), nil
	case "put":
		body, err := newBody(in, r.BodySize)
		if err != nil {
			return nil, err
		}
		return c.put(r, body), nil
	case "close":
		return &response{}, nil
	}
	return &response{Err: "unknown command " + r.Command}, nil
}

func (c *cache) serve(in *bufio.Reader, out *bufio.Writer) error {
	answers := json.NewEncoder(out)
	if err := answers.Encode(&response{KnownCommands: []string{"get", "put", "close"}}); err != nil {
		return err
	}
	for {
		if in.Buffered() == 0 {
			if err := out.Flush(); err != nil {
				return err
			}
		}
		line, err := in.ReadBytes('\n')
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		// Between requests, and after a body.
		if text := strings.Trim(string(line), "\" \n"); text == "" {
			continue
		}
		var r request
		if err := json.Unmarshal(line, &r); err != nil {
			return err
		}
		a, err := c.answer(&r, in)
		if err != nil {
			return err
		}
		a.ID = r.ID
		if err := answers.Encode(a); err != nil {
			return err
		}
		if r.Command == "close" {
			return out.Flush()
		}
	}
}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: build-cache WRITABLE [READ-ONLY]...")
		os.Exit(2)
	}
	c := &cache{folders: os.Args[1:]}
	if err := c.serve(bufio.NewReaderSize(os.Stdin, 1<<16), bufio.NewWriter(os.Stdout)); err != nil {
		fmt.Fprintln(os.Stderr, "build-cache:", err)
		os.Exit(1)
	}
}
