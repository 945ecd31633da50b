package main

import (
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	if c, err := parse([]byte(`{"greeting": "hello"}`)); err != nil || c.Greeting != "hello" || c.Limit != 10 {
		t.Errorf("parse: %v, %v", c, err)
	}
	for _, text := range []string{``, `{}`, `{"greeting": "x", "limit": 0}`, `{"greeting": "x", "limt": 3}`} {
		if c, err := parse([]byte(text)); err == nil {
			t.Errorf("parse(%q) is %v", text, c)
		}
	}
}

// As Kubernetes does it: the file is a link to one in a folder whose name is changed.
func TestFollow(t *testing.T) {
	dir := t.TempDir()
	put := func(version, text string) {
		os.Mkdir(filepath.Join(dir, version), 0o755)
		os.WriteFile(filepath.Join(dir, version, "config.json"), []byte(text), 0o644)
		os.Symlink(version, filepath.Join(dir, "..new"))
		os.Rename(filepath.Join(dir, "..new"), filepath.Join(dir, "..data"))
	}
	put("..1", `{"greeting": "one"}`)
	os.Symlink("..data/config.json", filepath.Join(dir, "config.json"))
	var current atomic.Pointer[Config]
	go follow(filepath.Join(dir, "config.json"), time.Millisecond, &current)
	wait := func(want string) {
		for i := 0; i < 5000; i++ {
			if c := current.Load(); c != nil && c.Greeting == want {
				return
			}
			time.Sleep(time.Millisecond)
		}
		t.Fatalf("it is %v, not %q", current.Load(), want)
	}
	wait("one")
	put("..2", `{"greeting": `)
	put("..3", `{"greeting": "three"}`)
	wait("three")
}
