let
  d = a: derivation ({ system = "x86_64-linux"; builder = "/bin/sh"; } // a);
  ca = d { name = "ca"; __contentAddressed = true; outputHashMode = "recursive"; outputHashAlgo = "sha256"; outputs = [ "out" "dev" ]; };
  caflat = d { name = "caflat"; __contentAddressed = true; outputHashMode = "flat"; outputHashAlgo = "sha1"; };
  usesca = d { name = "usesca"; dep = ca; };
  imp = d { name = "imp"; __impure = true; outputHashMode = "recursive"; outputHashAlgo = "sha256"; };
  sa = d { name = "structured"; __structuredAttrs = true; list = [ 1 2.5 null true "a\"b" ]; outputs = [ "out" "lib" ]; };
  deep = d { name = "deep"; x = builtins.unsafeDiscardOutputDependency ca.drvPath; y = d { name="in"; }; };
  deep2 = d { name = "deep2"; x = (d { name="in"; }).drvPath; };
  esc = d { name = "esc"; v = builtins.concatStringsSep "" [ "\t" "\"\"" "\\" "\n\r" "ünïcödé" "0123456789abcdef" "0123456789abcde\"" "0123456789abcdef0\\" (builtins.concatStringsSep "\n" (builtins.genList (i: "line ${toString i} \"q\" \\ \${x}") 400)) ]; };
  names = map (n: d { name = n; }) [ "a" "+x" "=" "?q" "_" "a.b-c_d?e=f+g" "0" "..." "..a" ];
  md5f = d { name = "md5f"; outputHash = "d41d8cd98f00b204e9800998ecf8427e"; outputHashAlgo = "md5"; };
  s512 = d { name = "s512"; outputHash = "z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg=="; outputHashAlgo = "sha512"; outputHashMode = "recursive"; };
in [ ca caflat usesca imp sa deep deep2 esc names md5f s512 ]
