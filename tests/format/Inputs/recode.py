"""A text in another encoding of its line ends, on standard output.  recode.py HOW FILE"""
import sys

with open(sys.argv[2], "rb") as file:
    text = file.read()
recoded = {
    "crlf": text.replace(b"\n", b"\r\n"),
    "cr": text.replace(b"\n", b"\r"),
    "mark": b"\xef\xbb\xbf" + text,
    "empty": b"\n \n",
}
sys.stdout.buffer.write(recoded[sys.argv[1]])
