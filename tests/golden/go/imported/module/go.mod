module a

go 1.24.3
