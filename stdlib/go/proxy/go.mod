module gx.invalid/proxy

go 1.21
