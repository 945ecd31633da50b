// Package notes stores short texts and serves them over HTTP.
package notes

import (
	"encoding/json"
	"net/http"
	"sort"
	"sync"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/google/uuid"
)

// Note is a text with the time it was made.
type Note struct {
	ID   string    `json:"id"`
	Text string    `json:"text"`
	Made time.Time `json:"made"`
}

// Store holds notes; it may be used by several goroutines.
type Store struct {
	mu    sync.RWMutex
	notes map[string]Note
}

// NewStore returns a store without notes.
func NewStore() *Store {
	return &Store{notes: make(map[string]Note)}
}

// Add keeps a text and returns its note.
func (s *Store) Add(text string) Note {
	note := Note{ID: uuid.NewString(), Text: text, Made: time.Now().UTC()}

	s.mu.Lock()
	defer s.mu.Unlock()
	s.notes[note.ID] = note
	return note
}

// Get returns the note with an id.
func (s *Store) Get(id string) (Note, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	note, ok := s.notes[id]
	return note, ok
}

// All returns every note, oldest first.
func (s *Store) All() []Note {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := make([]Note, 0, len(s.notes))
	for _, note := range s.notes {
		all = append(all, note)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Made.Before(all[j].Made) })
	return all
}

// Handler serves a store.
func Handler(store *Store, version string) http.Handler {
	router := chi.NewRouter()
	router.Get("/", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, map[string]string{"service": "go-service", "version": version})
	})
	router.Get("/healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
	})
	router.Get("/notes", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, store.All())
	})
	router.Post("/notes", func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Text string }
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&in); err != nil || in.Text == "" {
			reply(w, http.StatusBadRequest, map[string]string{"error": `send {"text": "..."}`})
			return
		}
		reply(w, http.StatusCreated, store.Add(in.Text))
	})
	router.Get("/notes/{id}", func(w http.ResponseWriter, r *http.Request) {
		note, ok := store.Get(chi.URLParam(r, "id"))
		if !ok {
			reply(w, http.StatusNotFound, map[string]string{"error": "no such note"})
			return
		}
		reply(w, http.StatusOK, note)
	})
	return router
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The client went away: nobody is left to tell.
	_ = json.NewEncoder(w).Encode(body)
}
