"""standards.py HEADER...: compiles each header alone, and twice in one file, in every standard of
gcc and clang, with all warnings as errors."""
import subprocess
import sys

C = ["c89", "c99", "c11", "c17", "c2x"]
CXX = ["c++98", "c++11", "c++17", "c++20", "c++2b"]
runs = 0
for header in sys.argv[1:]:
    source = f'#include "{header}"\n#include "{header}"\n'
    for compilers, language, standards in ((("gcc", "clang-19"), "c", C),
                                           (("g++", "clang++-19"), "c++", CXX)):
        for compiler in compilers:
            for standard in standards:
                command = [compiler, f"-std={standard}", "-x", language, "-Wall", "-Wextra",
                           "-pedantic", "-Werror", "-fsyntax-only", "-"]
                result = subprocess.run(command, input=source, text=True, capture_output=True,
                                        check=False)
                runs += 1
                if result.returncode != 0:
                    print(" ".join(command), header, result.stderr, sep="\n")
                    sys.exit(1)
print(runs, "compilations without a warning")
