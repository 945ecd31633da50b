let
  src = builtins.toFile "s.txt" "hello";
  fod = derivation { name = "src.tar.gz"; system = "x86_64-linux"; builder = "builtin:fetchurl"; url = "http://a/x"; outputHash = "0000000000000000000000000000000000000000000000000000"; outputHashAlgo = "sha256"; };
  fod2 = derivation { name = "src.tar.gz"; system = "x86_64-linux"; builder = "builtin:fetchurl"; url = "http://b/y"; outputHash = "0000000000000000000000000000000000000000000000000000"; outputHashAlgo = "sha256"; };
  fodr = derivation { name = "tree"; system = "x86_64-linux"; builder = "b"; outputHash = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="; outputHashMode = "recursive"; };
  fods = derivation { name = "tree1"; system = "x86_64-linux"; builder = "b"; outputHash = "sha1-AAAAAAAAAAAAAAAAAAAAAAAAAAA="; outputHashMode = "recursive"; };
  lib = derivation { name = "lib-1.0"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo \"hi\"\n\tx\\y\r" ]; outputs = [ "out" "dev" "bin" ]; src = fod; inherit src2; zed = ""; };
  src2 = src;
  twin = f: derivation { name = "twin"; system = "x86_64-linux"; builder = "/bin/sh"; s = f; outputs = [ "out" "dev" ]; };
  app = derivation { name = "app"; system = "x86_64-linux"; builder = "${lib.bin}/bin/x"; args = [ lib.dev fodr fods ]; t1 = twin fod; };
  both = derivation { name = "both"; system = "x86_64-linux"; builder = "b"; a = (twin fod).dev; b = (twin fod2).out; };
  bare = derivation { name = "bare"; system = "s"; builder = "b"; };
in { inherit fod fod2 fodr fods lib app both bare; }
