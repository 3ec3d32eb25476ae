// Makes calls one after the other with net/http, and decodes what comes into structs: URL, operation, number of calls.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"time"
)

type health struct {
	Name       string `json:"name"`
	Status     string `json:"status"`
	Version    string `json:"version"`
	Components []struct {
		Name   string `json:"name"`
		Status string `json:"status"`
		Error  string `json:"error"`
	} `json:"components"`
}

type job struct {
	ID        string    `json:"id"`
	Status    string    `json:"status"`
	Output    string    `json:"output"`
	SessionID string    `json:"session_id"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

var client = &http.Client{Timeout: 30 * time.Second}

func get(url string, into any) error {
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", response.StatusCode)
	}
	return json.NewDecoder(response.Body).Decode(into)
}

func main() {
	url, operation := os.Args[1], os.Args[2]
	calls, err := strconv.Atoi(os.Args[3])
	for i := 0; i < calls && err == nil; i++ {
		if operation == "health" {
			var into health
			err = get(url+"/health", &into)
		} else {
			var into job
			err = get(url+"/jobs/job-0123456789abcdef", &into)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
