// `flow-proxy completion bash|zsh|fish`: a script that lets the shell complete commands, options and their values.
import { allNodes, type CommandNode, type OptionEntry, type Value } from './command-tree.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** The script; to be read by the shell with `source <(flow-proxy completion bash)`. */
export function completionScript(root: CommandNode, shell: Shell): string {
  switch (shell) {
    case 'bash':
      return bashScript(root);
    case 'zsh':
      return zshScript(root);
    case 'fish':
      return fishScript(root);
  }
}

function bashScript(root: CommandNode): string {
  const nodes = allNodes(root);
  const words = nodes.map((node) => {
    const options = node.options.flatMap(({ flags }) => flags).join(' ');
    return `    "${node.path.join(' ')}") words="${plainWords(node).join(' ')}" options="${options}" files=${takesFile(node)} ;;`;
  });
  return `# Completion of flow-proxy for bash: source <(flow-proxy completion bash)
_flow_proxy() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]}
  local command="" words="" options="" files=no index
  for ((index = 1; index < COMP_CWORD; index++)); do
    case "$command \${COMP_WORDS[index]}" in
      ${pathPattern(nodes)}) command="\${command:+$command }\${COMP_WORDS[index]}" ;;
    esac
  done
  case "$previous" in
${valueCases(nodes, (list) => `COMPREPLY=($(compgen -W "${list.join(' ')}" -- "$current"))`, 'COMPREPLY=($(compgen -f -- "$current"))')}
  esac
  case "$command" in
${words.join('\n')}
  esac
  if [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$current"))
  else
    COMPREPLY=($(compgen -W "$words" -- "$current"))
    if [[ $files == yes ]]; then COMPREPLY+=($(compgen -f -- "$current")); fi
  fi
}
complete -o filenames -F _flow_proxy flow-proxy
`;
}

function zshScript(root: CommandNode): string {
  const nodes = allNodes(root);
  const entry = (name: string, description: string): string => quoted(`${name}:${description}`);
  const cases = nodes.map((node) => {
    const named = node.children.map(({ path, description }) => entry(path.at(-1) ?? '', description));
    const values = node.arguments.flatMap((value) =>
      value.words.map((word) => entry(word, value.placeholder)),
    );
    const options = node.options.flatMap(({ flags, description }) =>
      flags.map((flag) => entry(flag, description)),
    );
    return `    "${node.path.join(' ')}")
      entries=(${[...named, ...values].join(' ')})
      options=(${options.join(' ')})
      files=${takesFile(node)} ;;`;
  });
  return `#compdef flow-proxy
# Completion of flow-proxy for zsh: source <(flow-proxy completion zsh)
_flow_proxy() {
  local command="" files=no previous=\${words[CURRENT - 1]}
  local -a entries options
  local -i index
  for ((index = 2; index < CURRENT; index++)); do
    case "$command \${words[index]}" in
      ${pathPattern(nodes)}) command="\${command:+$command }\${words[index]}" ;;
    esac
  done
  case "$previous" in
${valueCases(nodes, (list) => `compadd -- ${list.join(' ')}`, '_files')}
  esac
  case "$command" in
${cases.join('\n')}
  esac
  (( \${#entries} )) && _describe 'command' entries
  _describe -o 'option' options
  if [[ $files == yes ]]; then _files; fi
}
compdef _flow_proxy flow-proxy
`;
}

function fishScript(root: CommandNode): string {
  const lines = allNodes(root).flatMap((node) => {
    const where = `complete -c flow-proxy -n ${quoted(fishCondition(node))}`;
    const named = node.children.map(
      ({ path, description }) => `${where} -a ${path.at(-1)} -d ${quoted(description)}`,
    );
    const values = node.arguments.flatMap(({ words, isFile }) => [
      ...(words.length > 0 ? [`${where} -a ${quoted(words.join(' '))}`] : []),
      ...(isFile ? [`${where} -F`] : []),
    ]);
    return [...named, ...values, ...node.options.map((option) => `${where} ${fishOption(option)}`)];
  });
  const head = '# Completion of flow-proxy for fish: flow-proxy completion fish | source';
  return `${[head, 'complete -c flow-proxy -f', ...lines].join('\n')}\n`;
}

function fishCondition({ path, children }: CommandNode): string {
  if (path.length === 0) return '__fish_use_subcommand';
  const seen = path.map((word) => `__fish_seen_subcommand_from ${word}`);
  const below = children.map((child) => child.path.at(-1)).join(' ');
  const notBelow = below === '' ? [] : [`not __fish_seen_subcommand_from ${below}`];
  return [...seen, ...notBelow].join('; and ');
}

function fishOption({ flags, description, value }: OptionEntry): string {
  const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  const words = value === null || value.words.length === 0 ? [] : [`-a ${quoted(value.words.join(' '))}`];
  const kind = value === null ? [] : [value.isFile ? '-r -F' : '-x'];
  return [...names, ...kind, ...words, `-d ${quoted(description)}`].join(' ');
}

/** Matches "parent child" for each command there is. */
function pathPattern(nodes: readonly CommandNode[]): string {
  return nodes
    .filter(({ path }) => path.length > 0)
    .map(({ path }) => `"${path.slice(0, -1).join(' ')} ${path.at(-1)}"`)
    .join('|');
}

/** What follows an option; an option means the same wherever it is. */
function valueCases(
  nodes: readonly CommandNode[],
  offer: (words: readonly string[]) => string,
  offerFiles: string,
): string {
  const values = new Map<string, Value>();
  for (const { flags, value } of nodes.flatMap(({ options }) => options)) {
    if (value !== null) for (const flag of flags) values.set(flag, value);
  }
  const cases = [...values].map(([flag, { words, isFile }]) => {
    const action = isFile ? `${offerFiles}; ` : words.length > 0 ? `${offer(words)}; ` : '';
    return `    ${flag}) ${action}return ;;`;
  });
  return cases.join('\n');
}

function plainWords({ children, arguments: values }: CommandNode): string[] {
  return [...children.map(({ path }) => path.at(-1) ?? ''), ...values.flatMap(({ words }) => words)];
}

function takesFile({ arguments: values }: CommandNode): 'yes' | 'no' {
  return values.some(({ isFile }) => isFile) ? 'yes' : 'no';
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", '’')}'`;
}
