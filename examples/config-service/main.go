// config-service answers with what a mounted file says, and goes on doing so when the file changes: a ConfigMap is changed, no image is built.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"
)

// Config is what the file may say.
type Config struct {
	Greeting string `json:"greeting"`
	Limit    int    `json:"limit"`
}

// parse takes only what makes sense: a mistake in a map must not stop a service that runs.
func parse(text []byte) (*Config, error) {
	c := &Config{Limit: 10}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(c); err != nil {
		return nil, err
	}
	if c.Greeting == "" || c.Limit < 1 {
		return nil, fmt.Errorf("greeting and limit must be given, and limit is at least 1")
	}
	return c, nil
}

// follow reads the file again and again. Kubernetes replaces it by changing a link, so it is opened anew each time and compared as a whole.
func follow(name string, each time.Duration, current *atomic.Pointer[Config]) {
	var last []byte
	for ; ; time.Sleep(each) {
		text, err := os.ReadFile(name)
		if err != nil || bytes.Equal(text, last) {
			continue
		}
		last = text
		c, err := parse(text)
		if err != nil {
			log.Printf("%s is left aside: %v", name, err)
			continue
		}
		current.Store(c)
		log.Printf("greeting %q, limit %d", c.Greeting, c.Limit)
	}
}

func main() {
	name := flag.String("config", "/etc/config-service/config.json", "the file")
	listen := flag.String("listen", "127.0.0.1:8080", "where to answer")
	each := flag.Duration("each", time.Second, "how often the file is looked at")
	flag.Parse()
	text, err := os.ReadFile(*name)
	if err != nil {
		log.Fatal(err)
	}
	c, err := parse(text)
	if err != nil {
		log.Fatalf("%s: %v", *name, err)
	}
	var current atomic.Pointer[Config]
	current.Store(c)
	go follow(*name, *each, &current)
	http.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(current.Load())
	})
	l, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("config-service listens on http://%s\n", l.Addr())
	log.Fatal(http.Serve(l, nil))
}
