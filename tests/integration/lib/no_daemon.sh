#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What a login script may print where a daemon is expected.
echo "Welcome to this machine! It has been up for 100 days."
