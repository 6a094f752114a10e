// SPDX-License-Identifier: Apache-2.0

// Writes the lines of zap, zerolog and logrus into files of a directory.
package main

import (
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/rs/zerolog"
	"github.com/sirupsen/logrus"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

type order struct {
	ID int `json:"id"`
}

func withZap(file string) {
	settings := zap.NewProductionConfig()
	settings.OutputPaths = []string{file}
	// Sampling would leave lines out; a panic in place of an exit lets the program go on.
	settings.Sampling = nil
	logger, err := settings.Build(zap.OnFatal(zapcore.WriteThenPanic))
	if err != nil {
		panic(err)
	}
	logger.Info("started")
	logger.Named("shop.db").Error("failed 1")
	logger.Error("failed 2", zap.Error(errors.New("no")))
	// A name twice is as zap has it.
	logger.Error("failed 3", zap.Any("order", order{7}), zap.Any("items", []any{1, "x"}), zap.Any("order", order{8}))
	logger.DPanic("failed 4")
	surviving(func() { logger.Fatal("failed 5") })
}

func withZerolog(file *os.File) {
	logger := zerolog.New(file).With().Timestamp().Logger()
	logger.Info().Msg("started")
	zerolog.TimeFieldFormat = zerolog.TimeFormatUnix
	logger.Error().Msg("failed 1")
	zerolog.TimeFieldFormat = zerolog.TimeFormatUnixMs
	logger.Error().Err(errors.New("no")).Msg("failed 2")
	zerolog.TimeFieldFormat = time.RFC3339Nano
	// A name twice is as zerolog has it.
	logger.Error().Interface("order", order{7}).Interface("items", []any{1, "x"}).Interface("order", order{8}).Msg("failed 3")
	logger.Error().Timestamp().Msg("failed 4")
	logger.WithLevel(zerolog.PanicLevel).Msg("failed 5")
}

func withLogrus(file *os.File) {
	logger := logrus.New()
	logger.SetOutput(file)
	logger.SetFormatter(&logrus.JSONFormatter{})
	logger.Info("started")
	logger.Error("failed 1")
	logger.WithError(errors.New("no")).Error("failed 2")
	logger.WithField("order", order{7}).WithField("items", []any{1, "x"}).Error("failed 3")
	logger.WithField("level", "x").Log(logrus.FatalLevel, "failed 4")
	surviving(func() { logger.Panic("failed 5") })
}

func surviving(run func()) {
	defer func() { _ = recover() }()
	run()
}

func open(path string) *os.File {
	file, err := os.Create(path)
	if err != nil {
		panic(err)
	}
	return file
}

func main() {
	directory := os.Args[1]
	withZap(filepath.Join(directory, "zap.ndjson"))
	withZerolog(open(filepath.Join(directory, "zerolog.ndjson")))
	withLogrus(open(filepath.Join(directory, "logrus.ndjson")))
}
