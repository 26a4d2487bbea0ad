// Starts `netc lsp` and leaves the rest to it.
const { window, workspace } = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

async function start() {
    const command = workspace.getConfiguration("netc").get("path");
    client = new LanguageClient(
        "netc", "netc", { command, args: ["lsp"] }, { documentSelector: [{ language: "net" }] });
    try {
        await client.start();
    } catch (error) {
        client = undefined;
        window.showErrorMessage(`netc.path: cannot start \`${command} lsp\`: ${error.message}`);
    }
}

async function stop() {
    const old = client;
    client = undefined;
    await old?.stop();
}

exports.activate = async (context) => {
    context.subscriptions.push(workspace.onDidChangeConfiguration(async (event) => {
        if (event.affectsConfiguration("netc.path")) {
            await stop();
            await start();
        }
    }));
    await start();
};

exports.deactivate = stop;
